//! Reads the queue of REZ Monitor.
