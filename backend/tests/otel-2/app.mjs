import express from 'express';
import { serve } from '../otel-app.mjs';

serve(express);
