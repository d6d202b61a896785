// Original file: proto/implicam/v1/scene.proto


export interface StoredPicture {
  'key'?: (string);
  'type'?: (string);
  'width'?: (number);
  'height'?: (number);
}

export interface StoredPicture__Output {
  'key': (string);
  'type': (string);
  'width': (number);
  'height': (number);
}
