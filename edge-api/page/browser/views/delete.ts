import type { Api } from '../client/api.js';
import { forgetUploads } from '../client/tus.js';
import { confirmed } from '../ui/widgets.js';

/** Deletes a session if the person is sure. @returns whether it is gone. @throws Problem */
export async function deleteSession(api: Api, session: string): Promise<boolean> {
  const sure = await confirmed({
    title: 'Delete this session?',
    text: 'Its photographs, its model and everything made of it go for good.',
    action: 'Delete',
  });
  if (!sure) return false;
  await api.call(`/v1/sessions/${session}`, { method: 'DELETE' });
  forgetUploads(session);
  return true;
}
