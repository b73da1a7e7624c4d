"""The evidence pack of a drill: what an auditor gets to read, check and sign."""

from reports.drills.evidence.pack import FOLDER, write_evidence
from reports.drills.evidence.words import LANGUAGES, Lang

__all__ = ["FOLDER", "LANGUAGES", "Lang", "write_evidence"]
