/** Express alone: the floor. */
import express from 'express';
import { serve, shop } from './shop.mjs';

serve(shop(express));
