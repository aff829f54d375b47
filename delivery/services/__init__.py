"""What delivery does between rows: plan, requeue, sweep, finish. Each service is one short transaction."""
