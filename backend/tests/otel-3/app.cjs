const express = require('express');
const pino = require('pino');
const { serve } = require('../otel-app.mjs');

serve(express, { pino });
