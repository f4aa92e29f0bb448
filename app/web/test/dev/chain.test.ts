import { test } from 'vitest';
import { Chain } from '../chain.js';
test('chain', async () => {
  const chain = await Chain.start();
  await chain.publish({ SOL: 44 });
  const board = await chain.listBoard([32, 36, 40, 44, 48]);
  await chain.pause(8);
  const engine = await chain.engine();
  console.log(chain.urls, chain.mints, board, engine.boards().length, engine.exchange().paused, engine.markets().map((m) => m.priceUsd));
  await chain.stop();
}, 60_000);
