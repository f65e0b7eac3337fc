import { Inject, Injectable } from '@nestjs/common'
import { ModuleRef } from '@nestjs/core'
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus'
import { type HealthReport, type PostmarkHealthOptions, postmarkHealth } from '@postmark-smtp/core'
import { getPostmarkToken } from './postmark-token.js'

/** What {@link PostmarkHealthIndicator.isHealthy} takes besides its key. */
export interface PostmarkIndicatorOptions extends PostmarkHealthOptions {
  /** As given to `PostmarkSmtpModule.forRoot({ name })`. */
  readonly name?: string
}

/**
 * Reports to @nestjs/terminus whether Postmark takes the login. It logs in, sends nothing, and keeps the result for a
 * minute, so that a probe is not a login each time. Add it to the providers of the module with the health check.
 */
@Injectable()
export class PostmarkHealthIndicator {
  private readonly checks = new Map<string, () => Promise<HealthReport>>()

  constructor(
    @Inject(HealthIndicatorService) private readonly indicators: HealthIndicatorService,
    @Inject(ModuleRef) private readonly modules: ModuleRef,
  ) {}

  /**
   * Up or down, with when and how long; what failed is told by a code, never by a token or a host.
   * @param options count in the first call with a key
   * @example health.check([() => postmark.isHealthy('mail'), () => postmark.isHealthy('news', { name: 'news' })])
   * @throws PostmarkError ERR_POSTMARK_OPTIONS
   */
  async isHealthy<const Key extends string>(
    key: Key,
    options: PostmarkIndicatorOptions = {},
  ): Promise<HealthIndicatorResult<Key>> {
    const check = this.checks.get(key) ?? this.createCheck(key, options)
    const { ok, ...details } = await check()
    const indicator = this.indicators.check(key)
    return ok ? indicator.up(details) : indicator.down(details)
  }

  private createCheck(
    key: string,
    { name, ...options }: PostmarkIndicatorOptions,
  ): () => Promise<HealthReport> {
    const check = postmarkHealth(this.modules.get(getPostmarkToken(name), { strict: false }), options)
    this.checks.set(key, check)
    return check
  }
}
