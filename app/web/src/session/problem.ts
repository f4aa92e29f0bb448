import type { Problem } from "../components/Progress";

/** Codes by which wallets say that their owner has declined, of several conventions. */
const DECLINED = new Set([4001, -32003, 4100]);

function text(error: unknown): string {
  if (error instanceof Error) return error.cause instanceof Error ? `${error.message} ${error.cause.message}` : error.message;
  return typeof error === "string" ? error : "";
}

function code(error: unknown): number | null {
  if (typeof error !== "object" || error === null || !("code" in error)) return null;
  return typeof error.code === "number" ? error.code : null;
}

/** Whether a wallet's owner has declined. */
export function isDeclined(error: unknown): boolean {
  const number = code(error);
  if (number !== null && DECLINED.has(number)) return true;
  return /user rejected|declined|denied|cancell?ed by (the )?user|rejected the request/i.test(text(error));
}

/** What a wallet's refusal to connect or to sign means. */
export function rejectionOf(error: unknown, wallet: string): Problem {
  if (isDeclined(error)) {
    return {
      title: "You declined in your wallet",
      detail: `${wallet} was asked, and nothing was signed or sent.`,
      advice: "Try again if you did not mean to, and confirm in the wallet.",
      code: "declined",
    };
  }
  return {
    title: `${wallet} answered with an error`,
    detail: text(error) || "It gave no reason.",
    advice: "Unlock the wallet, reload this page and try again.",
    code: "wallet",
  };
}
