# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""A stand-in for IBM's qpylib where the real one isn't installed: what app/framework calls.

Written from its observable behaviour (qradar §4), awkward sides included; the tests in
tests/framework also pass on the real qpylib 2.0.9. Only Flask and cryptography are needed.
"""
