/** In the place of the global of this name, whose first use loads Node's fetch. */
export { LightHeaders as Headers } from "../../src/provider/light-headers.ts";
