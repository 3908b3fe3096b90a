/** The program from its sources, for development: `npm run dev -- run "…"`. Slow to start; bin/crush runs the build. */
import { main } from "../src/cli/main.ts";

await main(process.argv.slice(2));
