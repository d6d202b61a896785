// Original file: proto/implicam/v1/coordination.proto

import type { FailureCode as _implicam_v1_FailureCode, FailureCode__Output as _implicam_v1_FailureCode__Output } from '../../implicam/v1/FailureCode.js';
import type { Long } from '@grpc/proto-loader';

/**
 * Hosting or training failed on this runner.
 */
export interface Failed {
  'training'?: (string);
  'epoch'?: (number | string | Long);
  'code'?: (_implicam_v1_FailureCode);
  'message'?: (string);
}

/**
 * Hosting or training failed on this runner.
 */
export interface Failed__Output {
  'training': (string);
  'epoch': (number);
  'code': (_implicam_v1_FailureCode__Output);
  'message': (string);
}
