import { SMTPServer } from 'smtp-server'

/** smtp-server without the 100 ms that it waits before it greets, to catch clients that talk too soon. */
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
