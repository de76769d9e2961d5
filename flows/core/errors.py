"""Every error Concord raises on purpose.

ConcordError
├── TransientError            trying again may help
│   ├── WarehouseUnavailableError
│   ├── RunInProgressError
│   ├── GateUnavailableError
│   ├── SourceUnavailableError
│   │   └── TruncatedAnswerError
│   └── QuotaReachedError
└── TerminalError             trying again will not help until someone acts
    ├── SettingsError
    ├── MigrationError
    ├── ConnectionsError
    ├── CheckFailedError
    ├── MappingError
    ├── SourceFileError
    ├── SourceRefusedError
    │   ├── NotPermittedError
    │   └── UnknownOutcomeError
    ├── UnbalancedError
    ├── RulesError
    ├── TransformationError
    ├── MatchingError
    ├── GateRefusedError
    ├── PublicationRefusedError
    ├── SealError
    ├── EvaluationError
    ├── RulingsError
    ├── ExplanationError
    └── DemoError

The message says what happened, to what, and what to do.
"""


class ConcordError(Exception):
    """Root of everything Concord raises on purpose."""


class TransientError(ConcordError):
    """Trying again may help."""


class TerminalError(ConcordError):
    """Trying again will not help until someone acts."""


class WarehouseUnavailableError(TransientError):
    """The warehouse does not answer."""


class RunInProgressError(TransientError):
    """Another run holds what this run needs."""


class GateUnavailableError(TransientError):
    """The gate ended before it gave a verdict."""


class SourceUnavailableError(TransientError):
    """A system does not answer, or not with what it promised, after every retry that made sense."""


class TruncatedAnswerError(SourceUnavailableError):
    """An answer ended before it was complete; nothing of it may be used."""


class QuotaReachedError(TransientError):
    """Going on would use up the calls that are kept for others; tomorrow there are new ones."""


class SettingsError(TerminalError):
    """A setting is missing or makes no sense."""


class MigrationError(TerminalError):
    """The warehouse schema cannot be brought to what this version needs."""


class ConnectionsError(TerminalError):
    """The connections file is missing or wrong."""


class MappingError(TerminalError):
    """A mapping file does not fit the files it maps."""


class SourceFileError(TerminalError):
    """A source file cannot be read as a whole."""


class SourceRefusedError(TerminalError):
    """A system refuses what was asked of it, now and later; `code` is its own word for it."""

    code = ""


class NotPermittedError(SourceRefusedError):
    """The system's user may not do or see what was asked."""


class UnknownOutcomeError(SourceRefusedError):
    """A write may or may not have happened; it must be looked up before it is sent again."""


class UnbalancedError(TerminalError):
    """Rows in and rows out do not add up."""


class RulesError(TerminalError):
    """A file of business rules says something that cannot be done."""


class TransformationError(TerminalError):
    """A dbt model or test failed."""


class MatchingError(TerminalError):
    """Records cannot be matched with these rules, weights or blocks."""


class GateRefusedError(TerminalError):
    """A gate refused a promotion."""


class PublicationRefusedError(TerminalError):
    """Publishing would break what analysts rely on."""


class SealError(TerminalError):
    """A change of a sealed document cannot be accepted like that."""


class EvaluationError(TerminalError):
    """A file of true pairs cannot be used."""


class RulingsError(TerminalError):
    """Rulings cannot be taken over as they are."""


class ExplanationError(TerminalError):
    """What is to be explained is not there."""


class CheckFailedError(TerminalError):
    """Something that is needed does not work at a connection."""


class DemoError(TerminalError):
    """The demo did not show what it promises."""
