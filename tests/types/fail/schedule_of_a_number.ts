// expect: Type 'number' is not assignable to type 'ScheduleOption'
import { dag } from "tidewheel";

dag({ id: "d", schedule: 60 }, () => {});
