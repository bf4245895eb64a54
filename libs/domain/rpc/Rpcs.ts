/** Everything the console can ask, behind one gate. */
import { AccessRpcs } from "./AccessRpcs.ts"
import { Authorised } from "./Authorised.ts"
import { ExporterRpcs } from "./ExporterRpcs.ts"
import { MapRpcs } from "./MapRpcs.ts"
import { SystemRpcs } from "./SystemRpcs.ts"

export class Rpcs extends MapRpcs.merge(SystemRpcs, ExporterRpcs, AccessRpcs).middleware(Authorised) {}
