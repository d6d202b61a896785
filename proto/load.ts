import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { ProtoGrpcType as Coordination } from './types/coordination.js';
import type { ProtoGrpcType as Reduction } from './types/reduction.js';
import type { ProtoGrpcType as Render } from './types/render.js';
import type { ProtoGrpcType as Scene } from './types/scene.js';
import type { ProtoGrpcType as Training } from './types/training.js';

const FILES = ['training', 'coordination', 'reduction', 'scene', 'render'].map(
  (name) => `implicam/v1/${name}.proto`,
);

let loaded: (Training & Coordination & Reduction & Scene & Render)['implicam']['v1'] | undefined;

/** Clients and service definitions of the wire, read from the .proto files once a process. */
export function wire(): NonNullable<typeof loaded> {
  // How values look is fixed here and in package.json's `proto` script together.
  loaded ??= (
    loadPackageDefinition(
      loadSync(FILES, {
        includeDirs: [protoFolder()],
        longs: Number,
        enums: String,
        defaults: true,
        oneofs: true,
      }),
    ) as unknown as Training & Coordination & Reduction & Scene & Render
  ).implicam.v1;
  return loaded;
}

/** The .proto files stay in the sources: this file runs from there (tests) or from dist/proto. */
function protoFolder(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  return existsSync(join(here, FILES[0])) ? here : join(here, '../../proto');
}
