// Original file: proto/implicam/v1/coordination.proto


export interface Welcome {
  /**
   * How often to send a heartbeat, and how much silence ends the stream, in milliseconds.
   */
  'heartbeatMs'?: (number);
  'silenceMs'?: (number);
}

export interface Welcome__Output {
  /**
   * How often to send a heartbeat, and how much silence ends the stream, in milliseconds.
   */
  'heartbeatMs': (number);
  'silenceMs': (number);
}
