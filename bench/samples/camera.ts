import { z } from 'zod';
import { RESPONSES } from './sensor.js';

/**
 * What a camera, its owner and the world do to photographs, beside what every capture has. The flags of
 * `implicam sample` and the captures of `npm run quality` are these. By default none of it happens.
 */
export const cameraSchema = z.object({
  jpeg: z.int().min(1).max(100).optional().describe('write JPEG of this quality, 1 to 100, instead of PNG'),
  subsampling: z.enum(['4:2:0', '4:4:4']).default('4:2:0').describe('resolution of colour in JPEG'),
  response: z.enum(RESPONSES).default('own').describe('curve of the camera; own: another one for every seed'),
  iso: z.number().min(100).max(6400).default(100).describe('sensitivity, 100 to 6400: shot and read noise'),
  vignetting: z.number().min(0).max(4).default(0).describe('stops that the corners are darker, 0 to 4'),
  wbDrift: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('white balance of each photograph differs by up to so many stops, 0 to 1'),
  breathing: z
    .number()
    .min(0)
    .max(10)
    .default(0)
    .describe('per cent that the picture grows from the nearest to the farthest focus, 0 to 10'),
  flicker: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('light changes by up to so many stops between photographs, 0 to 1; no file tells'),
  bits: z
    .number()
    .refine((bits) => [8, 12, 14, 16].includes(bits), 'must be 8, 12, 14 or 16')
    .default(8)
    .describe('bits a sample: 8, 12, 14 or 16; more than 8 in PNG of 16 bits'),
  white: z
    .int()
    .min(64)
    .max(255)
    .default(255)
    .describe('value of 8 bits, 64 to 255, at which the camera clips'),
  retakes: z.int().min(0).max(8).default(0).describe('further photographs of every setting, 0 to 8'),
  mover: z.boolean().default(false).describe('somebody walks across the picture'),
});

/** With all defaults. */
export type CameraOptions = z.output<typeof cameraSchema>;
export type CameraInput = z.input<typeof cameraSchema>;
