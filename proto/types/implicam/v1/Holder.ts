// Original file: proto/implicam/v1/training.proto


export interface Holder {
  'runner'?: (string);
  'address'?: (string);
  'shards'?: (number)[];
}

export interface Holder__Output {
  'runner': (string);
  'address': (string);
  'shards': (number)[];
}
