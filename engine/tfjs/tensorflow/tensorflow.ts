import type * as tfjs from '@tensorflow/tfjs';

/** The TensorFlow.js module, whichever package it came from, and its tensors. */
export type Tf = typeof tfjs;
export type Tensor = tfjs.Tensor;
