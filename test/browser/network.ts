import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A network between a browser and the service, which can be cut as a tunnel or a lift cuts it. */
export interface Network {
  readonly url: string;
  /** Breaks every connection and refuses new ones. */
  cut(): Promise<void>;
  mend(): Promise<void>;
  close(): Promise<void>;
}

/** @param target address of the service */
export async function openNetwork(target: string): Promise<Network> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  const joined = (socket: Socket): void => {
    const other = connect(Number(port), hostname);
    for (const [one, two] of [
      [socket, other],
      [other, socket],
    ] as const) {
      sockets.add(one);
      one.on('error', () => two.destroy());
      one.on('close', () => {
        sockets.delete(one);
        two.destroy();
      });
      one.pipe(two);
    }
  };
  let server: Server;
  const listen = (at: number): Promise<void> =>
    new Promise((done) => {
      server = createServer(joined).listen(at, '127.0.0.1', done);
    });
  await listen(0);
  const own = (server!.address() as AddressInfo).port;
  const cut = (): Promise<void> =>
    new Promise((done) => {
      server.close(() => done());
      for (const socket of sockets) socket.destroy();
    });
  return { url: `http://127.0.0.1:${own}`, cut, mend: () => listen(own), close: cut };
}
