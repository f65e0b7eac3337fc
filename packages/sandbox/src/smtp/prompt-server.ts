import { SMTPServer } from 'smtp-server'

/** smtp-server, but for its first 100 ms, in which it greets nobody so as to catch clients that talk too soon. */
export class PromptServer extends SMTPServer {
  override connect(...[socket, options]: Parameters<SMTPServer['connect']>): void {
    super.connect(socket, options)
    const connection = [...this.connections].at(-1)
    if (connection === undefined || connection.id !== options?.id) return
    connection.connectionReady()
    // Its timer would greet a second time.
    connection.connectionReady = () => {}
  }
}
