export {
  FAULT_PHASES,
  type Fault,
  type FaultKind,
  type FaultPhase,
  type FaultScript,
} from './fault-script.js'
export {
  type AcceptedMail,
  type FaultConnection,
  type FaultServer,
  type FaultServerOptions,
  startFaultServer,
} from './fault-server.js'
export { createRandom } from './random.js'
export { type SeededFaultsOptions, seededFaults } from './seeded-faults.js'
