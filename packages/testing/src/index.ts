export type { ReceivedMail } from './received-mail.js'
export { type SmtpServer, startSmtpServer } from './smtp-server.js'
export type { SmtpLogin, SmtpRefusal, SmtpServerOptions } from './smtp-session.js'
