export function useTokenBalance(_mint: string | null): bigint | null {
  return null;
}
