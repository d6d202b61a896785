import { createRoute } from '@hono/zod-openapi';
import type { z } from 'zod';
import type { Db } from '../../database/connection.js';
import type { App } from '../context.js';
import { once } from '../http/idempotency.js';
import {
  idempotencyHeader,
  jsonAnswer,
  jsonBody,
  refused,
  sessionParams,
  type sessionSchema,
  startTrainingSchema,
  trainingSchema,
} from '../schemas.js';
import { presentProgress, readSession } from '../sessions/sessions.js';
import { startTraining as start, cancelTraining as stop } from './training.js';

const tags = ['Training'];

const startTraining = createRoute({
  method: 'post',
  path: '/v1/sessions/{session}/training',
  operationId: 'startTraining',
  summary: 'Train, or go on with a training',
  tags,
  request: {
    params: sessionParams,
    headers: idempotencyHeader,
    body: jsonBody(startTrainingSchema, false),
  },
  responses: { 202: jsonAnswer('It waits in the queue', trainingSchema), ...refused },
});

const getTraining = createRoute({
  method: 'get',
  path: '/v1/sessions/{session}/training',
  operationId: 'getTraining',
  summary: 'Ask how the training goes',
  tags,
  request: { params: sessionParams },
  responses: { 200: jsonAnswer('The newest training', trainingSchema), ...refused },
});

const cancelTraining = createRoute({
  method: 'delete',
  path: '/v1/sessions/{session}/training',
  operationId: 'cancelTraining',
  summary: 'Cancel the training',
  description: 'What was learned is kept: it can be resumed.',
  tags,
  request: { params: sessionParams },
  responses: {
    200: jsonAnswer('It is cancelled', trainingSchema),
    202: jsonAnswer('It will stop after the step in progress', trainingSchema),
    ...refused,
  },
});

export function addTrainingRoutes(app: App): void {
  app.openapi(startTraining, async (c) => {
    const { session } = c.req.valid('param');
    const request = startTrainingSchema.parse(c.req.valid('json') ?? {});
    const { tenant } = c.get('principal');
    const { body } = await once(c, request, async (tx) => {
      await start(tx, c.get('principal'), session, request);
      return { status: 202, body: await presentTraining(tx, tenant, session) };
    });
    return c.json(body, 202);
  });

  app.openapi(getTraining, async (c) => {
    const { session } = c.req.valid('param');
    return c.json(await presentTraining(c.get('db'), c.get('principal').tenant, session), 200);
  });

  app.openapi(cancelTraining, async (c) => {
    const { session } = c.req.valid('param');
    const principal = c.get('principal');
    const db = c.get('db');
    const atOnce = await db.transaction().execute((tx) => stop(tx, principal, session));
    const body = await presentTraining(db, principal.tenant, session);
    return atOnce ? c.json(body, 200) : c.json(body, 202);
  });
}

async function presentTraining(db: Db, tenant: string, id: string): Promise<z.infer<typeof trainingSchema>> {
  const session = await readSession(db, tenant, id);
  const run = await db
    .selectFrom('training_runs')
    .select('snapshot_step')
    .where('session', '=', id)
    .where('number', '=', session.run)
    .executeTakeFirst();
  const shards = await db
    .selectFrom('shards')
    .select(['shard', 'runner', 'device'])
    .where('session', '=', id)
    .orderBy('shard')
    .execute();
  return {
    state: session.state as z.infer<typeof sessionSchema>['state'],
    ...presentProgress(session),
    cancelRequested: session.cancel_requested,
    snapshotStep: run?.snapshot_step ?? null,
    shards,
    error: session.error,
  };
}
