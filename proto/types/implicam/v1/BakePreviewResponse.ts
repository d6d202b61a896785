// Original file: proto/implicam/v1/reduction.proto


export interface BakePreviewResponse {
  /**
   * The rectangle of the small picture that these tiles lie in; in the first message.
   */
  'x'?: (number);
  'y'?: (number);
  'width'?: (number);
  'height'?: (number);
  /**
   * What they give to each of its pixels, row by row: linear red, green and blue, as little-endian floats. Where tiles
   * meet, the parts add up.
   */
  'data'?: (Buffer | Uint8Array | string);
}

export interface BakePreviewResponse__Output {
  /**
   * The rectangle of the small picture that these tiles lie in; in the first message.
   */
  'x': (number);
  'y': (number);
  'width': (number);
  'height': (number);
  /**
   * What they give to each of its pixels, row by row: linear red, green and blue, as little-endian floats. Where tiles
   * meet, the parts add up.
   */
  'data': (Buffer);
}
