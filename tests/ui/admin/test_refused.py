"""What admins enter or press that can't be done is refused with the reason, and changes nothing."""

from tests.support.desk import Desk, texts
from tests.ui.jobs.results.test_unknown_outcomes import in_the_log, lost


async def test_a_charge_that_is_no_number_settles_nothing(desk: Desk) -> None:
    job = await lost(desk)
    form = await desk.admin.click(await in_the_log(desk, job), label="Mark as charged")
    shown = await desk.admin.submit_modal(form, {"amount": "a few"})
    assert "Enter a whole number of credits, such as 8. Nothing was settled." in texts(shown)
    assert (await desk.job()).reserved == job.reserved
