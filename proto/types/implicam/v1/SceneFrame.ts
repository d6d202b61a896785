// Original file: proto/implicam/v1/scene.proto


export interface SceneFrame {
  /**
   * Of the photograph in the object store, and its file name.
   */
  'key'?: (string);
  'name'?: (string);
  /**
   * Camera settings as JSON (model/picture.ts, CameraSettings); they go before those in the file.
   */
  'camera'?: (string);
}

export interface SceneFrame__Output {
  /**
   * Of the photograph in the object store, and its file name.
   */
  'key': (string);
  'name': (string);
  /**
   * Camera settings as JSON (model/picture.ts, CameraSettings); they go before those in the file.
   */
  'camera': (string);
}
