import { type ServiceError, status } from '@grpc/grpc-js';
import { ImplicamError } from '../../model/errors.js';
import type { TrainingServiceHandlers } from '../../proto/types/implicam/v1/TrainingService.js';
import type { FolderLedger } from '../ledgers/folder.js';
import { isOver, type Status, type StatusBoard } from '../status-board.js';

/** Shortest time between two messages to a watcher, in milliseconds; changes of phase come at once. */
const WATCH_EVERY = 200;

/** Serves `TrainingService` over a ledger that takes submissions. */
export function trainingService(
  ledger: FolderLedger,
  board: StatusBoard,
  cancel: (training: string) => void,
): TrainingServiceHandlers {
  return {
    SubmitTraining(call, answer) {
      const { training } = call.request;
      ledger.submit(training).then(
        () => answer(null, { status: board.get(training) ?? null }),
        (error) => answer(asServiceError(error)),
      );
    },

    WatchTraining(call) {
      const { training } = call.request;
      if (!board.get(training)) {
        call.emit('error', { code: status.NOT_FOUND, details: `there is no training ${training}` });
        return;
      }
      let last: Status | undefined;
      let newest: Status | undefined;
      let pending: NodeJS.Timeout | undefined;
      const send = () => {
        clearTimeout(pending);
        pending = undefined;
        last = newest;
        call.write({ status: newest });
        if (newest && isOver(newest.phase)) finish();
      };
      const stop = board.watch(training, (now) => {
        newest = now;
        if (now.phase !== last?.phase) return send();
        // Not restarted by each change: changes come more often than this.
        pending ??= setTimeout(send, WATCH_EVERY);
      });
      const finish = () => {
        clearTimeout(pending);
        // The first status can be the last, and arrive before `watch` has returned.
        setImmediate(() => {
          stop();
          call.end();
        });
      };
      call.on('cancelled', finish);
      call.on('error', finish);
    },

    CancelTraining(call, answer) {
      cancel(call.request.training);
      answer(null, {});
    },
  };
}

function asServiceError(error: unknown): Partial<ServiceError> {
  if (!(error instanceof ImplicamError)) return { code: status.INTERNAL, details: String(error) };
  const code = error.status === 404 ? status.NOT_FOUND : status.INVALID_ARGUMENT;
  return { code, details: error.message };
}
