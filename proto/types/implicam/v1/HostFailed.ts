// Original file: proto/implicam/v1/training.proto

import type { Long } from '@grpc/proto-loader';

export interface HostFailed {
  'session'?: (string);
  'epoch'?: (number | string | Long);
  /**
   * A code of the program's errors: "out-of-memory", "snapshot-missing", "session-unusable", …
   */
  'code'?: (string);
  'message'?: (string);
}

export interface HostFailed__Output {
  'session': (string);
  'epoch': (number);
  /**
   * A code of the program's errors: "out-of-memory", "snapshot-missing", "session-unusable", …
   */
  'code': (string);
  'message': (string);
}
