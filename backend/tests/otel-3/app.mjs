import express from 'express';
import { Redis } from 'ioredis';
import mongoose from 'mongoose';
import pino from 'pino';
import winston from 'winston';
import { serve } from '../otel-app.mjs';

serve(express, { pino, winston, mongoose, Redis });
