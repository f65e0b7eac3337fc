export {
  type ContractAdapter,
  type ContractApp,
  type ContractCore,
  type ContractFields,
  type ContractRequest,
  type RunningApp,
  runAdapterContract,
} from './adapter-contract.js'
export { createBarrier } from './barrier.js'
export { startTcpProxy, type TcpProxy, type TcpProxyOptions } from './fault-proxy.js'
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
export { type Postfix, type PostfixOptions, postfixMissing, startPostfix } from './postfix.js'
export type { ReceivedMail } from './received-mail.js'
export { size } from './size.js'
export { type SmtpServer, startSmtpServer } from './smtp-server.js'
export type { SmtpLogin, SmtpRefusal, SmtpServerOptions } from './smtp-session.js'
