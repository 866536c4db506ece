# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The console's switches: what is open or awkward about QRadar, one attribute each.

Assign them at run time (``console.switches.latency = 2``) or through ``POST /_control/switches``.
"""

from dataclasses import asdict, dataclass, field, fields


@dataclass(slots=True)
class PathSwitch:
    """A disturbance of one path prefix."""

    latency: float = 0.0
    """Seconds before the request is looked at."""
    hang: bool = False
    """No answer until it is switched off or the simulator stops."""
    down: bool = False
    """The connection is closed without an answer."""
    status: int = 0
    """Answered with this status and an HTML page instead."""
    lost: bool = False
    """Done as asked, but then the connection is closed without an answer."""
    methods: str = ""
    """Only requests with one of these methods, such as ``POST DELETE``; all when it is empty."""

    def concerns(self, method: str) -> bool:
        return not self.methods or method in self.methods.split()


@dataclass(slots=True)
class Switches(PathSwitch):
    """The overall disturbances (inherited, control endpoint excepted), and the rest by subject."""

    paths: dict[str, PathSwitch] = field(default_factory=dict)
    """Disturbances by path prefix; the longest prefix counts, together with the overall ones."""

    token_reaches_app: str = "header"
    """``header``, ``cookie`` or ``both``: how a token caller's SEC arrives at the app."""
    button_argument: str = "appContext"
    """``appContext``, ``context``, ``both`` or ``none``: where a toolbar's button has its offense.
    The first goes only to pages for which the app names a page script."""
    use_qradar_csrf: bool = False
    """Demand the QRadarCSRF header on writes for every app (an app's manifest can too)."""
    enforce_capabilities: str = "off"
    """``off``, ``users`` or ``all``: whose rights on declared rest_methods the proxy checks."""
    rewrite_location: bool = False
    """Prefix a redirect's root-relative Location with the app's base address."""
    proxy_timeout: float = 60.0
    """Seconds the proxy waits for the app before its 504."""

    lockout_after: int = 0
    """Bad tokens at /api after which the calling host is locked out (code 24); 0 = never."""
    lockout_seconds: float = 1800.0
    rest_needs_csrf: bool = False
    """Writes to /api with a user's session need the header QRadarCSRF; a service's never do."""
    tokens_need_deploy: bool = False
    """A service made through REST is good only after a deploy."""

    actions_need_deploy: bool = True
    """Rules run custom actions as they were when last deployed."""
    deploy_seconds: float = 0.2
    """How long a deploy through REST takes."""
    offense_delay: float = 0.2
    """Seconds from a rule's firing to its offense (on QRadar 5 to 120)."""
    missing_value: str = ""
    """What a script gets for an event column that the event lacks: an empty string, or null."""
    script_timeout: float = 60.0
    """Seconds after which a script is killed."""
    script_folder: str = "/home/customactionuser"
    """Where scripts start; ``/`` is the other possibility, and is not writable."""
    script_environment: dict[str, str] = field(default_factory=dict)
    """Added to RULE_ID and RULE_NAME."""
    old_bash: bool = True
    """Bash writes here-documents to temporary files, as it did before 5.1 (BASH_COMPAT):
    without TMPDIR into the folder the script is in at that moment, since the jail has no /tmp."""

    def for_request(self, method: str, path: str) -> tuple[PathSwitch, ...]:
        """The disturbances that apply to a request."""
        prefixes = [prefix for prefix in self.paths if path.startswith(prefix)]
        switches = (self, *([self.paths[max(prefixes, key=len)]] if prefixes else []))
        return tuple(switch for switch in switches if switch.concerns(method))

    def update(self, document: dict[str, object]) -> None:
        """Set what ``document`` names; raises ValueError for a name or a type that isn't right."""
        known = {item.name: getattr(self, item.name) for item in fields(self)}
        for name, value in document.items():
            if name not in known:
                raise ValueError(f"there is no switch {name}")
            if name == "paths":
                self.paths = {key: PathSwitch(**options) for key, options in dict(value).items()}  # type: ignore[call-overload]
            elif isinstance(known[name], float) and isinstance(value, int):
                setattr(self, name, float(value))
            elif type(known[name]) is type(value):
                setattr(self, name, value)
            else:
                raise ValueError(f"switch {name} is a {type(known[name]).__name__}")

    def as_dict(self) -> dict[str, object]:
        return asdict(self)
