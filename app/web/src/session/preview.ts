import type { BoardView } from "@plimsoll/client";
import type { Problem } from "../components/Progress";
import type { Preview, Request } from "./actions";

export type PreviewState = { at: "none" } | { at: "ready"; preview: Preview } | { at: "refused"; problem: Problem };
export function usePreview(_request: Request | null): PreviewState {
  return { at: "none" };
}
export interface OptionQuote { bid: number | null; ask: number | null }
export function useOptionQuotes(_board: BoardView): Map<number, OptionQuote> {
  return new Map();
}
export function useMax(_what: object | null): (() => Promise<bigint>) | undefined {
  return undefined;
}
