export {
  FAULT_PHASES,
  type Fault,
  type FaultKind,
  type FaultPhase,
  type FaultScript,
} from './smtp/faults/fault-script.js'
export {
  type AcceptedMail,
  type FaultConnection,
  type FaultServer,
  type FaultServerOptions,
  startFaultServer,
} from './smtp/faults/fault-server.js'
export { type SeededFaultsOptions, seededFaults } from './smtp/faults/seeded-faults.js'
