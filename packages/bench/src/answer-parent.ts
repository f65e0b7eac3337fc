/**
 * Reports to the measuring process on which port an application listens, and on request the CPU time of its process. Each
 * application has its own process: on Node 20 the first use of an AsyncLocalStorage slows every promise of a process.
 */
export function answerParent(port: number): void {
  process.send?.(port)
  process.on('message', () => {
    const { user, system } = process.cpuUsage()
    process.send?.(user + system)
  })
  process.on('disconnect', () => process.exit())
}
