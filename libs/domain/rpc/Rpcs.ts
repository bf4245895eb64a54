/** Everything the console can ask, behind one gate. */
import { AccessRpcs } from "./AccessRpcs.ts"
import { Authorised } from "./Authorised.ts"
import { MapRpcs } from "./MapRpcs.ts"
import { SystemRpcs } from "./SystemRpcs.ts"

export class Rpcs extends MapRpcs.merge(SystemRpcs, AccessRpcs).middleware(Authorised) {}
