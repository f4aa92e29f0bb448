import { useState } from "react";
import type { Stage } from "../components/Progress";
import type { Request } from "./actions";
export function useRun() {
  const [stage, setStage] = useState<Stage>({ at: "idle" });
  return { stage, run: async (_request: Request) => false, reset: () => setStage({ at: "idle" }) };
}
