// Original file: proto/implicam/v1/render.proto


export interface RenderRequest {
  /**
   * Key of the model file in the object store; a key never changes its content.
   */
  'model'?: (string);
  /**
   * The render query as JSON, as model/render/query.ts defines it, format included.
   */
  'query'?: (string);
}

export interface RenderRequest__Output {
  /**
   * Key of the model file in the object store; a key never changes its content.
   */
  'model': (string);
  /**
   * The render query as JSON, as model/render/query.ts defines it, format included.
   */
  'query': (string);
}
