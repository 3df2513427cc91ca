# SPDX-License-Identifier: Apache-2.0
"""Reads protocol/schema and writes the C of protocol/: see schema.py for the language, names.py
for how Kafka's names become C's, emit.py for what is written."""
