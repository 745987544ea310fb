"""The job of the crash tests, its server, and a run of it that nothing interrupted."""

from __future__ import annotations

from tests.crash.test_crash import job, server, starts, whole

__all__ = ["job", "server", "starts", "whole"]
