"""What people know of the bot: the names of its commands, the words on its buttons and in its answers.

Actors and books use these alone, so that a bot that says it in another way needs changes here only. Labels
and answers are regular expressions.
"""

STUDIO = "studio"
PHOTO_TOOLS = ("virtual-staging", "photo-restore", "product-background", "career-photo")
MENUS = ("Virtual staging", "Photo restoration", "Product background", "Career portrait")
ROOM, EACH = "room", "each-photo"  # a field of the first, and its choice of a room for each photo
JOBS, CREDITS, HELP, SETTINGS, STYLES = "jobs", "credits", "help", "settings", "styles"

KEY, FORGET_KEY, POST_PANEL = r"^studii:setup:key", r"^studii:setup:ask", r"^studii:setup:panel"  # custom ids
BUDGET, GRANT = "studii budget", "studii grant"
FILTER, BLOCKS, APPROVAL = (  # panels, and settings in them
    ("moderation words", "rules"),
    ("moderation blocked", "blocked"),
    "moderation approvals",
)
SETUP, CREDITS_PANEL = "studii setup", "studii credits"
PANELS = (SETUP, CREDITS_PANEL, "studii photos", "studii moderation", "studii results", BUDGET)

# Fields of forms, by custom id.
PROMPT_FIELD, KEY_FIELD, PLAN_FIELD, AMOUNT_FIELD = "prompt", "key", "plan", "amount"
COUNT, STYLE = "count", "style"  # of variations

# Buttons.
STUDIO_BUTTON = r"^Studio"
LISTED = r"^(Cancel|Refresh|Newer|Older|Back)"  # in the list of jobs, and under one that was opened
LISTING, OPEN_JOB = r"studii:(listed|jobs)", r"^studii:jobsopen"  # custom ids there
OUTCOME_UNKNOWN = r"^outcome unknown"
AGAIN, EDIT, SAVE, DELETE, MORE = r"^Run again", r"^Edit", r"^Save as style", r"^Delete$", r"^More…"
VARIATIONS = r"^Variations…"
CANCEL, RUN, ASK_ADMIN = r"^Cancel", r"^Run ·|^Run$", r"^Ask an admin"
APPROVE, DECLINE, GRANT_MORE = r"^Approve", r"^Decline", r"^Grant"
SEE_RESULT, POST_AFTER_ALL = r"^See result", r"^Post it after all"
SERVER_JOBS, NOT_POSTED = r"^Server jobs", r"^Results not posted"  # pages of the list of jobs
ADD_STYLE = r"^Add a style"
REMOVE_KEY, ERASE_ASK, ERASE = r"^Remove key", r"^Erase my data", r"^Erase in every server"
MARK_CHARGED, RELEASE = r"^Mark as charged", r"^Release credits"

GOES_ON = "⏳"  # under a photo

# Answers.
IS_PANEL = r"Make and edit pictures with Studii"
FAILED = r"❌|🚫"
DONE = r"\*\*, your .+ is ready|is ready|are ready"
NOT_CHARGED, CHARGED_CREDITS = r"Not charged", r"Charged (\d+) credit"
FOR_CREDITS = r"^-# (?:.* · )?(\d+) credits?(?: ·.*)?$"  # under a result
INTERNAL_ERROR = r"Something (?:went wrong in the bot|unexpected)"
REQUEST_WAITS, RESULT_WAITS = r"A request waits for approval|A result waits", r"A result waits"
RESULT_WITHHELD = r"A result that isn't posted"
RULED, ERASED = r"^Settled\.", r"Your data in every server is erased"
RESULTS_WAIT = r"Their results wait too\*\*: (changed from off to )?on"
BLOCKED = r"can't start jobs here any more"
UNBLOCKED = r"can start jobs here again|isn't blocked|No one is blocked"
PLACE, NEXT = r"Number (\d+) in the queue", r"Next in the queue"
STARTS_AT = r"expected to start <t:(\d+)"
KEY_WORKS, BUDGET_SET = r"The key works", r"credits? a day"
PAUSED = r"Pause new jobs\*\*: (changed from off to )?on"
RESUMED = r"Pause new jobs\*\*: (changed from on to )?off"
APPROVAL_ON = r"Everyone's requests wait\*\*: (changed from off to )?on"
APPROVAL_OFF = r"Nothing waits for approval"
LIMITS_SET, ALLOWANCE_SET = r"Simultaneous jobs", r"Everyone's allowance"
