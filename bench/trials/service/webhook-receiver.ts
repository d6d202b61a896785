import { createHmac } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PersistentClient } from './client.js';
import type { Facts } from './session-journey.js';

/** A delivery that a crash interrupted comes again after a minute; retries of it soon after. In milliseconds. */
const PATIENCE = 150_000;
const EVENTS = ['queued', 'started', 'trained'];

/** Receives webhooks and remembers their events. */
export class WebhookReceiver {
  private readonly server: Server;
  private readonly secrets: string[] = [];
  /** Events received so far: session and number. */
  private readonly received = new Set<string>();
  private forged = 0;

  private constructor(server: Server) {
    this.server = server;
  }

  /** Listens on this machine and has all further events of the key's sessions sent here. */
  static async start(client: PersistentClient): Promise<WebhookReceiver> {
    const server = createServer();
    const receiver = new WebhookReceiver(server);
    server.on('request', async (request, response) => {
      const pieces: Buffer[] = [];
      for await (const piece of request) pieces.push(piece as Buffer);
      const body = Buffer.concat(pieces).toString();
      const { 'implicam-timestamp': timestamp, 'implicam-signature': signature } = request.headers;
      receiver.take(body, String(timestamp), String(signature));
      response.writeHead(204).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const body = { url: `http://127.0.0.1:${port}/`, events: EVENTS };
    const { secret } = await client.json<{ secret: string }>('POST', '/v1/webhooks', { body });
    receiver.secrets.push(secret);
    return receiver;
  }

  private take(body: string, timestamp: string, signature: string): void {
    const right = this.secrets.some(
      (secret) =>
        signature === `v1=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`,
    );
    if (!right) this.forged++;
    const { session, number } = JSON.parse(body) as { session: string; number: number };
    if (right) this.received.add(`${session} ${number}`);
  }

  /** Waits for what is on its way. @returns events of the sessions that never came, and other faults */
  async missing(facts: readonly Facts[]): Promise<string[]> {
    const due = facts.flatMap(({ session, events }) =>
      events.filter((e) => EVENTS.includes(e.type)).map((e) => `${session} ${e.number}`),
    );
    const lacking = () => due.filter((event) => !this.received.has(event));
    const end = performance.now() + PATIENCE;
    while (lacking().length > 0 && performance.now() < end) await sleep(500);
    const wrong = lacking().map((event) => `no webhook came for event ${event}`);
    if (this.forged > 0) wrong.push(`${this.forged} webhooks had a wrong signature`);
    return wrong;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
