// Original file: proto/implicam/v1/coordination.proto

export const FailureCode = {
  FAILURE_CODE_UNSPECIFIED: 'FAILURE_CODE_UNSPECIFIED',
  /**
   * The shards did not fit into memory.
   */
  FAILURE_CODE_MEMORY: 'FAILURE_CODE_MEMORY',
  /**
   * The training itself is unusable.
   */
  FAILURE_CODE_DATA: 'FAILURE_CODE_DATA',
  /**
   * The object store did not answer.
   */
  FAILURE_CODE_STORE: 'FAILURE_CODE_STORE',
  FAILURE_CODE_ENGINE: 'FAILURE_CODE_ENGINE',
} as const;

export type FailureCode =
  | 'FAILURE_CODE_UNSPECIFIED'
  | 0
  /**
   * The shards did not fit into memory.
   */
  | 'FAILURE_CODE_MEMORY'
  | 1
  /**
   * The training itself is unusable.
   */
  | 'FAILURE_CODE_DATA'
  | 2
  /**
   * The object store did not answer.
   */
  | 'FAILURE_CODE_STORE'
  | 3
  | 'FAILURE_CODE_ENGINE'
  | 4

export type FailureCode__Output = typeof FailureCode[keyof typeof FailureCode]
