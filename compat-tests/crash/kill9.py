# SPDX-License-Identifier: Apache-2.0
"""kill -9 at random moments, also while it starts; a clean stop now and then. One idempotent producer lives through all
of it, with a group that commits and topics that come and go; and one of transactions."""
import random
import signal
import time

from stage import Stage, end_witness, need


def run(options):
    rng = random.Random(options.seed)
    stage = Stage(options, "kill9")
    stage.broker.start()
    producer = stage.witness("produce", "--commits", "--churn", "--seed", options.seed, "--rate", options.rate,
                             background=True)
    transactor = stage.witness("transact", "--seed", options.seed, background=True)
    try:
        for number in range(1, options.rounds + 1):
            time.sleep(rng.uniform(0.02, 0.9))  # the moment of death, not a wait for something
            need(producer.poll() is None, "the producer ended with status %s: %s", producer.returncode,
                 producer.returncode is not None and producer.communicate()[0][-600:])
            if rng.random() < 0.1:
                status = stage.broker.stop()
                need(status in (0, 143), "round %d: a clean stop ended with status %s", number, status)
            else:
                need(stage.broker.is_alive(), "round %d: the broker ended by itself: %s", number, stage.broker.said()[-600:])
                stage.broker.kill9()
            if rng.random() < 0.25:
                stage.broker.launch()
                time.sleep(rng.uniform(0, 0.06 if options.broker == "odradek" else 4))
                stage.broker.kill9()
            stage.broker.start()
            if number % max(5, options.rounds // 20) == 0 and number < options.rounds:
                for process in (producer, transactor):
                    process.send_signal(signal.SIGSTOP)
                options.say("round %d: %s; %s" % (number, stage.check(), stage.check_transactions()))
                for process in (producer, transactor):
                    process.send_signal(signal.SIGCONT)
        said = "%s, %s" % (end_witness(producer), end_witness(transactor))
        stage.broker.kill9()
        stage.broker.start()
        options.say("after %d rounds: %s, %s" % (options.rounds, said, stage.check()))
        options.say(stage.check_transactions())
        need(stage.broker.stop() in (0, 143), "the last stop")
        stage.broker.start()
        stage.check()
        stage.check_transactions()
        stage.broker.stop()
    finally:
        producer.kill()
        transactor.kill()
