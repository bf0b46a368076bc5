const express = require('express');
const { serve } = require('../otel-app.mjs');

serve(express);
