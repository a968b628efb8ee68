/** The operations face: what is measured, and the small pages that monitoring asks for. Label values are closed sets. */
export { createMetrics, createOperatorMetrics } from './metrics.ts'
export type { Metrics, MetricSources, OperatorMetricSources } from './metrics.ts'
export { createOperationsFace } from './operations-face.ts'
