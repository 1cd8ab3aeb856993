"""How a job may change, and what is kept of it."""

import pytest
from sqlalchemy.exc import IntegrityError

from bot.db import Database
from tests.support.jobs import added


@pytest.mark.driver_thread
async def test_an_error_of_the_database_does_not_quote_what_people_wrote(db: Database) -> None:
    job = await added(db)
    with pytest.raises(IntegrityError) as caught:
        await added(db, id=job.id, inputs={"prompt": "a private wish"})
    assert "private wish" not in str(caught.value)
