import type { PreviewState } from './preview';
import type { Request } from './actions';

export function useSimulated(_request: Request | null): PreviewState {
  return { at: 'none' };
}
