// Original file: proto/implicam/v1/render.proto


/**
 * The encoded picture, in order.
 */
export interface RenderResponse {
  'data'?: (Buffer | Uint8Array | string);
  /**
   * Media type, in the first message.
   */
  'type'?: (string);
}

/**
 * The encoded picture, in order.
 */
export interface RenderResponse__Output {
  'data': (Buffer);
  /**
   * Media type, in the first message.
   */
  'type': (string);
}
